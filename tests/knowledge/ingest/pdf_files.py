"""PDF files written by hand, so that each test says what is on the page."""

A4 = (595, 842)


def page_text(
    text: str, *, x: float = 72, y: float = 700, size: float = 11, before: str = "", mode: int = 0
) -> str:
    """Return a content stream that shows lines of text; `before` sets colours."""
    shown = " ".join(f"({_escaped(line)}) Tj T*" for line in text.split("\n"))
    return f"{before} BT /F1 {size} Tf {mode} Tr {size * 1.2:.1f} TL {x} {y} Td {shown} ET"


def pdf(*streams: str, trailer: str = "", page: str = "") -> bytes:
    """Return a PDF with one page for each content stream."""
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(streams)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for index, stream in enumerate(streams):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {A4[0]} {A4[1]}] {page} "
            f"/Contents {5 + 2 * index} 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{offset:010d} 00000 n \n".encode() for offset in offsets)
    end = f"trailer << /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n"
    return out + end.encode() + b"%%EOF"


def protected() -> bytes:
    """Return a PDF whose user password is not the empty one."""
    word = "41" * 32
    entry = f"/Encrypt << /Filter /Standard /V 1 /R 2 /O <{word}> /U <{word}> /P -44 >>"
    return pdf(page_text("Secret"), trailer=f"{entry} /ID [<{word}> <{word}>]")


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
