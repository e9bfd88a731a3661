"""Images made fit to leave the hospital: PS3.15 basic profile, dates shifted, text removed."""
