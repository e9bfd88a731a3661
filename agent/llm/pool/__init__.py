"""Several servers of language models behind the one seam: healthy ones first, one model a talk."""
