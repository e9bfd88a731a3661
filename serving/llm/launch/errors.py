"""What keeps a server from being started, known before it is."""

from knowledge.errors import ContractError, InputError, InvalidValueError, UnavailableError


class OrderError(ContractError):
    """What was asked for does not go together: counts, precision, devices."""


class TooLittleMemoryError(ContractError):
    """The model does not fit; the message gives the sizes."""


class MissingWeightsError(UnavailableError):
    """The folder of the weights is not there, or lacks files."""


class WrongWeightsError(InputError):
    """The folder holds another model than the profile describes."""


class WrongHashError(InvalidValueError):
    """A file of the weights is not the one its manifest names."""


class ServerDiedError(UnavailableError):
    """The server ended before it answered, or never answered."""
