"""The course's own machinery: figures, tables, exercises and the ladder.

Pages import it; it imports the teaching modules, never the other way round.
"""
