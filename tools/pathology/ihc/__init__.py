"""Nuclear immunohistochemistry within a given tumour region."""
