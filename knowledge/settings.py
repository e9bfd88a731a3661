"""Every setting, with its unit and why this default.

Order: argument, environment (``EPICRISIS_...``), the file that ``EPICRISIS_SETTINGS_FILE`` names,
default. Nothing else reads the environment. A settings file is never picked up from the working
directory: that may be a folder of somebody's export.
"""

import os

from pydantic import PositiveInt, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from knowledge.clinical_time import load_zone
from knowledge.errors import InvalidValueError

_PREFIX = "EPICRISIS_"
_FILE = "EPICRISIS_SETTINGS_FILE"


class Settings(BaseSettings):
    """The frozen settings of one process."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="ignore")

    device_functions: bool = True
    """Signal and image analysis. On in research mode; off gives "not assessed: switched off"."""

    time_zone: str | None = None
    """IANA zone of the site, for naive DICOM, HL7 and WFDB times; none is guessed."""

    max_file_mib: PositiveInt = 64
    """Largest file read, MiB. A transaction bundle of a long chart is below 20."""

    max_case_mib: PositiveInt = 512
    """All files of one case together, MiB: fits a laptop's memory several times over."""

    max_files: PositiveInt = 2000
    """Files in one case; a folder with more is not one patient's visit."""

    max_expansion: PositiveInt = 200
    """Largest ratio of decompressed to compressed size, against compression bombs."""

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        if zone is not None:
            try:
                load_zone(zone)
            except InvalidValueError as error:
                raise ValueError(f"{error.reason}; {error.way_out}") from error
        return zone


def load_settings() -> Settings:
    """Return the settings of this process.

    Raises:
        InvalidValueError: A setting has an impossible value, or the settings file cannot be read;
            the message names the variable.
    """
    file = os.environ.get(_FILE)
    if file and not os.path.isfile(file):
        raise InvalidValueError(_FILE, "names no file", "correct or remove it")
    try:
        return Settings(_env_file=file or None)  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors()[0]
        name = _PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        raise InvalidValueError(name, first["msg"], "correct or remove it") from error
    except UnicodeDecodeError as error:
        raise InvalidValueError(_FILE, "is not UTF-8 text", "save it as UTF-8") from error
