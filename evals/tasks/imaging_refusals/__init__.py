"""Bad images are refused with the right reason, and good ones are taken."""
