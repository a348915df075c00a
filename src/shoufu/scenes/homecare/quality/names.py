def initials(name: str) -> str:
    """What is shown of a name before a reason was given: "欧**", "J. S."."""
    words = name.split()
    if not words:
        return ""
    if len(words) == 1 and not words[0].isascii():
        return f"{words[0][0]}**"
    return " ".join(f"{word[0]}." for word in words)
