"""How well a model does on a site's own labelled cases: the hospital's validation kit."""
