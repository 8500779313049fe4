"""The instructor's side: release, verify, grade and report. The teaching modules never import it."""
