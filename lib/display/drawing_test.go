package display

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image"
	"image/png"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/perijove/perijove/lib/display/displayhost"
)

func encoded(t *testing.T, width, height int) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := png.Encode(&buf, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// bothFormats draws itself as SVG and as PNG, as gonum's plots do.
type bothFormats struct{ png []byte }

func (b bothFormats) WriterTo(w, h plotLength, format string) (io.WriterTo, error) {
	switch format {
	case "svg":
		return bytes.NewBufferString(`<svg xmlns="http://www.w3.org/2000/svg" width="432pt" height="288pt"/>`), nil
	case "png":
		return bytes.NewBuffer(b.png), nil
	}
	return nil, errors.New("format " + format)
}

// svgWithSize has a method SVG, like a chart of package speedup/chart.
type svgWithSize string

func (s svgWithSize) SVG() string { return `<svg ` + string(s) + `/>` }

func wantPicture(t *testing.T, m displayhost.Message, data []byte, width, height int) {
	t.Helper()
	if m.Data["image/png"] != base64.StdEncoding.EncodeToString(data) {
		t.Errorf("picture %.20q", m.Data["image/png"])
	}
	if want := map[string]any{"image/png": map[string]any{"width": width, "height": height}}; !reflect.DeepEqual(m.Metadata, want) {
		t.Errorf("metadata %v, want %v", m.Metadata, want)
	}
	if svg, _ := m.Data["image/svg+xml"].(string); !strings.HasPrefix(svg, "<svg") {
		t.Errorf("SVG %q", svg)
	}
}

// svgAndFormats has a method SVG, and also draws itself in any format and size.
type svgAndFormats struct {
	bothFormats
	size *[2]float64
}

func (s svgAndFormats) SVG() string { return `<svg width="72pt" height="36pt"/>` }

func (s svgAndFormats) WriterTo(w, h plotLength, format string) (io.WriterTo, error) {
	*s.size = [2]float64{float64(w), float64(h)}
	return s.bothFormats.WriterTo(w, h, format)
}

func TestPicturesOfTheirOwnSizeWithoutARasterizer(t *testing.T) {
	got := record(t)
	v := svgAndFormats{bothFormats{encoded(t, 9, 9)}, new([2]float64)}
	if err := Show(v); err != nil {
		t.Fatal(err)
	}
	wantPicture(t, (*got)[0], v.png, 96, 48)
	if *v.size != [2]float64{72, 36} {
		t.Errorf("drawn at %v", *v.size)
	}
	if err := Show(Vector(v)); err != nil {
		t.Fatal(err)
	}
	if (*got)[1].Data["image/png"] != nil {
		t.Error("a vector has a PNG picture")
	}
}

// Front ends show no SVG in a notebook that they do not trust.
func TestPlotsHaveAPNGPicture(t *testing.T) {
	got := record(t)
	plot := bothFormats{encoded(t, 576, 384)}
	for _, show := range []func() error{
		func() error { return Show(plot) },
		func() error { return Plot(plot) },
	} {
		if err := show(); err != nil {
			t.Fatal(err)
		}
		wantPicture(t, (*got)[len(*got)-1], plot.png, 576, 384)
	}
	if err := PlotSize(plot, 72, 36); err != nil {
		t.Fatal(err)
	}
	wantPicture(t, (*got)[len(*got)-1], plot.png, 96, 48)
}

func TestHostDrawsPictures(t *testing.T) {
	got := record(t)
	data := encoded(t, 3, 3)
	var sizes []float64
	displayhost.SetRasterizer(func(v any, width, height float64) ([]byte, error) {
		sizes = append(sizes, width, height)
		if v == svgWithSize(`width="20" height="10px"`) {
			return nil, errors.New("cannot be drawn")
		}
		return data, nil
	})
	t.Cleanup(func() { displayhost.SetRasterizer(nil) })
	if err := Show(bothFormats{}); err != nil {
		t.Fatal(err)
	}
	wantPicture(t, (*got)[0], data, 576, 384)
	wantPicture(t, Render(svgWithSize(`width="2in" height="36pt"`)), data, 192, 48)
	for _, v := range []any{svgWithSize(`width="20" height="10px"`), svgWithSize(`width="100%" height="10"`), svgWithSize(""), Vector(bothFormats{}), Vector(svgWithSize(`width="2in" height="36pt"`))} {
		m := Render(v)
		if svg, _ := m.Data["image/svg+xml"].(string); m.Data["image/png"] != nil || len(m.Metadata) > 0 || !strings.HasPrefix(svg, "<svg") {
			t.Errorf("%v: %+v", v, m)
		}
	}
	if want := []float64{432, 288, 144, 36, 15, 7.5}; !reflect.DeepEqual(sizes, want) {
		t.Errorf("sizes in points %v, want %v", sizes, want)
	}
}
