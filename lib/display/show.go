package display

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // for the size of a JPEG
	"image/png"
	"sync"

	"github.com/perijove/perijove/lib/display/displayhost"
)

// Show shows any value as a cell's last expression would be shown; see [Render].
func Show(v any) error { return displayhost.Send(Render(v)) }

// HTML shows a fragment of HTML.
func HTML(html string) error {
	return show(Bundle{"text/html": html, "text/plain": textOfHTML(html)}, nil)
}

// Markdown shows text in Markdown with GitHub's tables; $x$ is mathematics.
func Markdown(md string) error {
	return show(Bundle{"text/markdown": md, "text/plain": md}, nil)
}

// Latex shows mathematics; tex has its own $ or \[ \] around it.
func Latex(tex string) error {
	return show(Bundle{"text/latex": tex, "text/plain": tex}, nil)
}

// SVG shows a picture. It must be able to stand alone, since front ends embed
// it as an image: with xmlns, a size, and no styles of the page around it. A
// missing xmlns is added; text that is not one svg element is an error.
func SVG(svg string) error {
	svg, size, err := standaloneSVG(svg)
	if err != nil {
		return err
	}
	return show(Bundle{"image/svg+xml": svg, "text/plain": "[SVG picture" + size + "]"}, nil)
}

// PNG shows an encoded picture.
func PNG(data []byte) error { return picture("image/png", data) }

// JPEG shows an encoded picture.
func JPEG(data []byte) error { return picture("image/jpeg", data) }

// Image shows a picture, losslessly, as PNG.
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
		return fmt.Errorf("display: %w", err)
	}
	return show(Bundle{"application/json": json.RawMessage(data), "text/plain": string(data)}, nil)
}

// Clear removes what the cell has shown and printed so far. With wait, it is
// removed only when the next output comes, which avoids flicker.
func Clear(wait bool) error {
	return displayhost.Send(displayhost.Message{Kind: displayhost.KindClear, Wait: wait})
}

// ShowAs shows v with an identifier for [Update]. Identifiers are those of the
// whole notebook. A [Handle] makes a unique one.
func ShowAs(id string, v any) error {
	if id == "" {
		return errors.New("display: ShowAs needs an identifier that is not empty")
	}
	m := Render(v)
	m.ID = id
	return displayhost.Send(m)
}

// Update replaces everything shown under id, in whichever cell.
func Update(id string, v any) error {
	if id == "" {
		return errors.New("display: Update needs the identifier that ShowAs was given")
	}
	m := Render(v)
	m.Kind, m.ID = displayhost.KindUpdate, id
	return displayhost.Send(m)
}

// A Handle is one output that changes in place. The zero Handle is ready for
// use, by several goroutines too; it must not be copied after first use.
type Handle struct {
	mu        sync.Mutex
	displayID string
}

// Show shows v: the first time as a new output of the cell, then in place of
// what the handle showed before.
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
		return fmt.Errorf("display: these %d bytes are not %s", len(data), mime)
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
		return nil, errors.New("display: the image is nil")
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		return nil, fmt.Errorf("display: cannot encode the image: %w", err)
	}
	return buf.Bytes(), nil
}
