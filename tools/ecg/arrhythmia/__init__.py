"""Rhythm beyond sinus and fibrillation: single P waves, single beats, flutter, block, pacing."""
