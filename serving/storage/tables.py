"""Every table, known to one metadata: a new resource adds its module here."""

from serving.access import tables as access
from serving.audit import tables as audit
from serving.cases import tables as cases
from serving.storage.base import Base

MODULES = (access, audit, cases)
METADATA = Base.metadata
