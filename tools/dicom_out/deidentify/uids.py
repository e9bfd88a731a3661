"""Which unique identifiers are the standard's own, and so name nobody."""


def is_public(uid: str) -> bool:
    """Return whether a UID stands in the dictionary of the standard.

    That an identifier begins as the standard's do is not enough: any system can have made it.

    Examples:
        >>> is_public("1.2.840.10008.5.1.4.1.1.2"), is_public("1.2.840.10008.471108.19511224")
        (True, False)
    """
    from pydicom._uid_dict import UID_dictionary

    return uid in UID_dictionary
