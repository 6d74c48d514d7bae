"""modelsign decides whether a machine-learning model may be loaded."""
