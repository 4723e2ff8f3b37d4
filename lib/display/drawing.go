package display

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/perijove/perijove/lib/display/displayhost"
)

// A Drawing draws itself in a named format, such as "svg" or "png". Width and height
// are in points, 72 per inch. A *plot.Plot of gonum.org/v1/plot is a
// Drawing[vg.Length].
type Drawing[L ~float64] interface {
	WriterTo(width, height L, format string) (io.WriterTo, error)
}

// Plot shows a gonum plot with a size of 6 by 4 inches; see [PlotSize].
func Plot[L ~float64](p Drawing[L]) error { return PlotSize(p, usualWidth, usualHeight) }

// The default size of a drawing, in points.
const (
	usualWidth  = 6 * 72
	usualHeight = 4 * 72
)

// PlotSize shows a gonum plot as SVG and as PNG. Front ends show the PNG in a
// notebook that they do not trust. Width and height are in points, like all lengths
// of gonum (such as 6*vg.Inch), and must be positive.
func PlotSize[L ~float64](p Drawing[L], width, height L) error {
	if !(width > 0 && height > 0) {
		return fmt.Errorf("display: cannot draw a plot of %v by %v points: width and height must be positive", width, height)
	}
	d := drawing{v: p, width: float64(width), height: float64(height)}
	d.writerTo = func(format string) (io.WriterTo, error) { return p.WriterTo(width, height, format) }
	b, metadata, err := d.bundle(false)
	if err != nil {
		return err
	}
	return show(b, metadata)
}

// Vector returns a value that [Show] and similar functions show as v, but without the PNG
// picture that they add to a drawing. Use it for a picture that another picture soon replaces:
// a PNG takes many times as long as an SVG, and only a saved notebook needs the PNG.
func Vector(v any) any { return vector{v} }

type vector struct{ v any }

// A drawing is a Drawing[L] of any L, and a size in points.
type drawing struct {
	v             any
	width, height float64
	writerTo      func(format string) (io.WriterTo, error)
}

// drawingOf returns v as a drawing of a size. A type assertion cannot test for a
// Drawing[L] of any L, so drawingOf checks the method's signature by reflection.
func drawingOf(v any, width, height float64) (drawing, bool) {
	method := reflect.ValueOf(v).MethodByName("WriterTo")
	if !method.IsValid() {
		return drawing{}, false
	}
	t := method.Type()
	if t.NumIn() != 3 || t.NumOut() != 2 || t.In(0) != t.In(1) ||
		t.In(0).Kind() != reflect.Float64 || t.In(2).Kind() != reflect.String ||
		t.Out(0) != reflect.TypeFor[io.WriterTo]() || t.Out(1) != reflect.TypeFor[error]() {
		return drawing{}, false
	}
	d := drawing{v: v, width: width, height: height}
	d.writerTo = func(format string) (io.WriterTo, error) {
		out := method.Call([]reflect.Value{reflect.ValueOf(d.width).Convert(t.In(0)), reflect.ValueOf(d.height).Convert(t.In(0)), reflect.ValueOf(format).Convert(t.In(2))})
		w, _ := out[0].Interface().(io.WriterTo)
		err, _ := out[1].Interface().(error)
		return w, err
	}
	return d, true
}

// bundle returns the drawing's forms. It fails if there is no SVG.
func (d drawing) bundle(vectorOnly bool) (Bundle, map[string]any, error) {
	drawn, err := displayhost.Vectorize(d.v, d.width, d.height)
	if drawn == "" && err == nil {
		var data []byte
		data, err = d.encode("svg")
		drawn = string(data)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("display: cannot draw a plot of %v by %v points: %w", d.width, d.height, err)
	}
	svg, size, err := standaloneSVG(drawn)
	if err != nil {
		return nil, nil, err
	}
	b := Bundle{"image/svg+xml": svg, "text/plain": "[SVG picture" + size + "]"}
	if vectorOnly {
		return b, nil, nil
	}
	picture, err := displayhost.Rasterize(d.v, d.width, d.height)
	if picture == nil && err == nil {
		picture = d.png()
	}
	if picture == nil {
		return b, nil, nil // without a PNG, the SVG suffices
	}
	return b, addPicture(b, picture, d.width, d.height), nil
}

// png returns the PNG that the drawing's own method draws, or nil if that fails or
// returns another format.
func (d drawing) png() []byte {
	picture, err := d.encode("png")
	if err != nil {
		return nil
	}
	if _, err := png.DecodeConfig(bytes.NewReader(picture)); err != nil {
		return nil
	}
	return picture
}

func (d drawing) encode(format string) ([]byte, error) {
	w, err := d.writerTo(format)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	_, err = w.WriteTo(&buf)
	return buf.Bytes(), err
}

// addPicture adds a PNG picture to b and returns the metadata with the size at which
// front ends show it. width and height are those of the SVG in b, in points.
func addPicture(b Bundle, picture []byte, width, height float64) map[string]any {
	b["image/png"] = base64.StdEncoding.EncodeToString(picture)
	return map[string]any{"image/png": map[string]any{
		"width": int(math.Round(width * 96 / 72)), "height": int(math.Round(height * 96 / 72)),
	}}
}

// points returns the size of an SVG document in points. It returns false if the root
// has no size in absolute units. size is the text that standaloneSVG returns.
func points(size string) (width, height float64, ok bool) {
	w, h, found := strings.Cut(strings.TrimPrefix(size, ", "), " × ")
	if !found {
		return 0, 0, false
	}
	width, okW := length(w)
	height, okH := length(h)
	return width, height, okW && okH
}

// length converts a length of SVG, such as "10mm", to points.
func length(s string) (float64, bool) {
	unit := 0.75 // a CSS pixel
	for _, u := range []struct {
		suffix string
		points float64
	}{{"px", 0.75}, {"pt", 1}, {"pc", 12}, {"in", 72}, {"cm", 72 / 2.54}, {"mm", 7.2 / 2.54}} {
		if t, ok := strings.CutSuffix(s, u.suffix); ok {
			s, unit = t, u.points
			break
		}
	}
	x, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return x * unit, err == nil && x > 0 && x*unit < 1e5
}
