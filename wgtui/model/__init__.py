"""Nouns: what a host looks like at one moment, what is asked about it, what the answer is.

Everything here is frozen and pure. Addresses are ``netaddr.IPAddress`` where people read them and
plain integers where machines search them; a prefix is three small numbers (``Prefix``), because a
router may have a million of them.
"""
