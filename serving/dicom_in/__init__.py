"""Images in: received by C-STORE or fetched by DICOMweb, kept, analysed by rules, results sent."""
