"""The paper's nouns and the slots of its newsletters; pure."""
