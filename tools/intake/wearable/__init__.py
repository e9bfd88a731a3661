"""Values of the patient's own devices: read, summed up apart, never an input of an acute rule."""
