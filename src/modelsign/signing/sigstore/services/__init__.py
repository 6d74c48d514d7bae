"""Signing by Sigstore: tokens, and clients of Fulcio, Rekor, timestamp authorities and the root's repository.

Never believes an answer: what comes back is verified like anybody's.
"""
