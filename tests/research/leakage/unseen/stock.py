"""Clean code that several entries share: leaks and innocents run the very same."""


def level(field: str, scale: float, sign: int = 1) -> str:
    """The field itself, in units of `scale`; a missing value says nothing new."""
    return f"""
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, {field}: float) -> float:
    if math.isfinite({field}):
        self.signal = max(-1.0, min(1.0, {sign} * {field} / {scale!r}))
    return self.signal

def get_signal(self) -> float:
    return self.signal
"""


def gap(field: str, sign: int = 1, price: str = "mid") -> str:
    """How far the field is from the price, in decayed absolute moves of the price."""
    return f"""
def __init__(self) -> None:
    self.reset()

def reset(self) -> None:
    self.last = math.nan
    self.size = 0.0
    self.signal = 0.0

def update(self, *, {price}: float, {field}: float) -> float:
    if math.isfinite(self.last):
        move = abs({price} - self.last)
        self.size = move if self.size == 0.0 else 0.98 * self.size + 0.02 * move
    self.last = {price}
    if self.size > 0.0 and math.isfinite({field}):
        away = ({field} - {price}) / (2.0 * self.size)
        self.signal = max(-1.0, min(1.0, {sign} * away))
    return self.signal

def get_signal(self) -> float:
    return self.signal
"""


def per_class(field: str, price: str = "mid") -> str:
    """For each class the mean of what followed it so far, learnt from past rows only."""
    return f"""
def __init__(self) -> None:
    self.reset()

def reset(self) -> None:
    self.known = {{}}
    self.last = math.nan
    self.was = math.nan
    self.signal = 0.0

def update(self, *, {price}: float, {field}: float) -> float:
    if math.isfinite(self.last) and math.isfinite(self.was):
        count, total, square = self.known.get(self.was, (0, 0.0, 0.0))
        move = math.log({price} / self.last)
        self.known[self.was] = (count + 1, total + move, square + move * move)
    self.last, self.was = {price}, {field}
    count, total, square = self.known.get({field}, (0, 0.0, 0.0))
    self.signal = 0.0
    if count >= 30 and square > 0.0:
        self.signal = max(-1.0, min(1.0, total / math.sqrt(square) / 2.0))
    return self.signal

def get_signal(self) -> float:
    return self.signal
"""


TREND = """
def __init__(self) -> None:
    self.reset()

def reset(self) -> None:
    self.last = math.nan
    self.fast = self.size = self.signal = 0.0

def update(self, *, mid: float) -> float:
    if math.isfinite(self.last):
        move = mid / self.last - 1.0
        self.fast += 0.25 * (move - self.fast)
        self.size += 0.02 * (abs(move) - self.size)
    self.last = mid
    if self.size > 0.0:
        self.signal = max(-1.0, min(1.0, self.fast / self.size))
    return self.signal

def get_signal(self) -> float:
    return self.signal
"""
