"""Key management services that sign: one file per service, and what they share.

Each service's module speaks the service's documented HTTP interface, shows the public key, and has bytes signed. None
of them verifies what it got: :class:`modelsign.signing.methods.kms.KmsKey` does that for all of them.
"""
