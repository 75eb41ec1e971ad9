"""Parrot: speak to it. It listens, thinks and answers on this machine. Speak into its answer, and it falls silent."""
from pleinair import Control, Event, Image, Piece, Text, blend, caption, circle, line, resize, text

piece = Piece()
piece.source("mic")
piece.source("tick")
piece.knob("wit", 0.8, range=(0, 1.5))          # how loosely it talks: above 1.2 the words come loose
piece.knob("manners", 1.0)                      # below a half it talks on, whoever speaks
piece.knob("mimicry", 0.7)                      # how far its voice goes up and down with yours
piece.knob("hush", 0.0)                         # 1 is a whisper
piece.model("voice", reads="mic")               # somebody begins, somebody has ended
piece.model("heard", reads="mic")               # what they say
piece.model("tone", reads="mic")                # how high

@piece.node
def question(heard) -> Text:
    return heard if heard.final and heard.confidence > 0.5 else None    # said to its end, and heard clearly

@piece.node
def barge(voice, manners) -> Event:
    return voice if voice["voice"] == "started" and manners >= 0.5 else None

@piece.node
def mimic(tone, mimicry, previous) -> Control:  # semitones; a parrot's own voice is a high one
    return 4 + 16 * mimicry * (tone.height - 0.5) if tone.confidence > 0.8 else previous

piece.model("answer", reads={"prompt": "question", "temperature": "wit"}, interrupt="barge")
piece.model("spoken", reads={"text": "answer", "pitch": "mimic", "breath": "hush"}, interrupt="barge")
piece.sink("speaker", reads="spoken")

@piece.node(size=(256, 192))
def plumage(tick, tone, answer, previous, rng) -> Image:
    canvas = blend(previous, "#2e4a3f", 0.02)   # feathers fade
    if tone.confidence > 0.5:                   # yours lie as high as your voice
        canvas = circle(canvas, (tick / 8 % 1, 1 - tone.height), 0.04 + 0.12 * tone.height, "#e8b04a")
    if not answer.final or rng.random() < 0.25: # its own lie where it likes, most of them while it thinks
        (x, y), colour = rng.random(2), rng.choice(["#c8452f", "#2f6fb0", "#e6dcc0"])
        canvas = line(canvas, (x, y), (x + 0.3, y - 0.2), str(colour), 0.08)
    return canvas

piece.model("painting", reads="plumage")

@piece.draw
def draw(tick, painting, heard, answer):        # your words above, its words below, also while the painter waits
    return text(caption(resize(painting, (960, 720)), answer), heard, (0.5, 0.12), 0.06, "paper", italic=True)
