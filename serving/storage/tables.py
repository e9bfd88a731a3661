"""Every table, known to one metadata: a new resource adds its module here."""

from serving.access import tables as access
from serving.audit import tables as audit
from serving.cases import tables as cases
from serving.cds import tables as cds
from serving.chat import tables as chat
from serving.dicom_in import tables as dicom_in
from serving.hl7_in import tables as hl7_in
from serving.jobs import tables as jobs
from serving.reading import tables as reading
from serving.signing import tables as signing
from serving.storage.base import Base
from serving.worklist import tables as worklist

MODULES = (access, audit, cases, cds, chat, dicom_in, hl7_in, jobs, reading, signing, worklist)
METADATA = Base.metadata
