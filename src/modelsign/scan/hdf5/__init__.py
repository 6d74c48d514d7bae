"""HDF5 files as far as a loader would follow them: objects, links, attributes, filters; never the numbers.

An own reader of the HDF5 File Format Specification 3.0, bounded and total. The C library touches none of it.
"""
