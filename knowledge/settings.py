"""Every setting, with its unit and why this default.

Order: argument, environment (``EPICRISIS_...``), ``epicrisis.env`` file, default. Nothing else
reads the environment.
"""

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The frozen settings of one process."""

    model_config = SettingsConfigDict(
        env_prefix="EPICRISIS_", env_file="epicrisis.env", frozen=True, extra="ignore"
    )

    device_functions: bool = True
    """Signal and image analysis. On in research mode; off gives "not assessed: switched off"."""

    time_zone: str | None = None
    """IANA zone of the site, for naive DICOM, HL7 and WFDB times; none is guessed."""

    max_file_mib: int = 64
    """Largest file read, MiB. A transaction bundle of a long chart is below 20."""

    max_case_mib: int = 512
    """All files of one case together, MiB: fits a laptop's memory several times over."""

    max_files: int = 2000
    """Files in one case; a folder with more is not one patient's visit."""

    max_expansion: int = 200
    """Largest ratio of decompressed to compressed size, against compression bombs."""
