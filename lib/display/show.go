package display

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // so that image.DecodeConfig reads the size of a JPEG
	"image/png"
	"sync"

	"github.com/perijove/perijove/lib/display/displayhost"
)

// Show shows any value in the same way as a cell's last expression; see [Render].
func Show(v any) error { return displayhost.Send(Render(v)) }

// HTML shows a fragment of HTML.
func HTML(html string) error {
	return show(Bundle{"text/html": html, "text/plain": textOfHTML(html)}, nil)
}

// Markdown shows text in Markdown. Tables have GitHub's syntax, and $x$ is a formula.
func Markdown(md string) error {
	return show(Bundle{"text/markdown": md, "text/plain": md}, nil)
}

// Latex shows a formula. tex includes its delimiters: $ $ or \[ \].
func Latex(tex string) error {
	return show(Bundle{"text/latex": tex, "text/plain": tex}, nil)
}

// SVG shows a picture. Front ends embed it as an image, so it must be a complete
// document: it needs an xmlns attribute and a size, and cannot use styles of the page. SVG
// adds a missing xmlns, and fails if the root of the text is not an svg element.
func SVG(svg string) error {
	svg, size, err := standaloneSVG(svg)
	if err != nil {
		return err
	}
	return show(Bundle{"image/svg+xml": svg, "text/plain": "[SVG picture" + size + "]"}, nil)
}

// PNG shows an encoded picture. It fails if data is not a PNG.
func PNG(data []byte) error { return picture("image/png", data) }

// JPEG shows an encoded picture. It fails if data is not a JPEG.
func JPEG(data []byte) error { return picture("image/jpeg", data) }

// Image encodes a picture as PNG, without loss, and shows it.
func Image(img image.Image) error {
	data, err := encodePNG(img)
	if err != nil {
		return err
	}
	return PNG(data)
}

// JSON shows the JSON form of v, which front ends present as a tree.
func JSON(v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("display: cannot encode a %T as JSON: %w", v, err)
	}
	return show(Bundle{"application/json": json.RawMessage(data), "text/plain": string(data)}, nil)
}

// Clear removes the output of the cell so far. If wait is true, the front end
// removes it only when the next output arrives, which avoids flicker.
func Clear(wait bool) error {
	return displayhost.Send(displayhost.Message{Kind: displayhost.KindClear, Wait: wait})
}

// ShowAs shows v under an identifier that [Update] takes. All cells of a notebook
// share the identifiers. A [Handle] makes a unique identifier. ShowAs fails if id is empty.
func ShowAs(id string, v any) error {
	if id == "" {
		return errors.New("display: cannot show a value with ShowAs: the identifier is empty")
	}
	m := Render(v)
	m.ID = id
	return displayhost.Send(m)
}

// Update replaces everything that was shown under id, in all cells, by v.
func Update(id string, v any) error {
	if id == "" {
		return errors.New("display: cannot update a display: the identifier is empty; pass the one that was passed to ShowAs")
	}
	m := Render(v)
	m.Kind, m.ID = displayhost.KindUpdate, id
	return displayhost.Send(m)
}

// A Handle is one output that changes in place. The zero Handle is ready for use.
// Its methods can be called concurrently. It must not be copied after first use.
type Handle struct {
	mu        sync.Mutex
	displayID string
}

// Show shows v. The first call adds an output to the cell; later calls replace the
// content of that output.
func (h *Handle) Show(v any) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.displayID != "" {
		return Update(h.displayID, v)
	}
	id := rand.Text()
	if err := ShowAs(id, v); err != nil {
		return err
	}
	h.displayID = id
	return nil
}

func show(b Bundle, metadata map[string]any) error {
	return displayhost.Send(displayhost.Message{Kind: displayhost.KindShow, Data: b, Metadata: metadata})
}

func picture(mime string, data []byte) error {
	cfg, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || "image/"+format != mime {
		return fmt.Errorf("display: cannot show %d bytes as a picture: the bytes are not of the type %s", len(data), mime)
	}
	b, meta := pictureBundle(mime, data, cfg.Width, cfg.Height)
	return show(b, meta)
}

func pictureBundle(mime string, data []byte, width, height int) (Bundle, map[string]any) {
	b := Bundle{
		mime:         base64.StdEncoding.EncodeToString(data),
		"text/plain": fmt.Sprintf("[%s, %d × %d pixels]", mime, width, height),
	}
	return b, map[string]any{mime: map[string]any{"width": width, "height": height}}
}

func encodePNG(img image.Image) ([]byte, error) {
	if img == nil {
		return nil, errors.New("display: cannot show an image that is nil")
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		return nil, fmt.Errorf("display: cannot encode a %T as PNG: %w", img, err)
	}
	return buf.Bytes(), nil
}
