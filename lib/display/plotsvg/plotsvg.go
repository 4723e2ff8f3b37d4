// Package plotsvg draws plots of gonum.org/v1/plot as SVG. Unlike gonum's own canvas,
// it writes a viewBox, names fonts that browsers have, sets the width of each text to
// the width in the plot's layout, and omits transparent shapes, for which gonum writes
// invalid colors.
package plotsvg

import (
	"fmt"
	"html"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Drawer draws itself to a canvas. A *plot.Plot is a Drawer.
type Drawer interface{ Draw(draw.Canvas) }

// Vectorize draws v if it is a Drawer; otherwise the result is empty. It implements
// displayhost.Vectorizer.
func Vectorize(v any, width, height float64) (string, error) {
	d, ok := v.(Drawer)
	if !ok {
		return "", nil
	}
	return Encode(d, vg.Length(width), vg.Length(height), "", "")
}

// Encode returns an SVG document of d. Title and description are for screen readers
// and may be empty. Encode fails if the size is not positive or too large. It can be
// called concurrently.
func Encode(d Drawer, width, height vg.Length, title, description string) (string, error) {
	if !(width > 0 && height > 0 && width < 1e6 && height < 1e6) {
		return "", fmt.Errorf("cannot draw a picture of %v by %v points: width and height must be between 0 and 1 million", width, height)
	}
	c := newCanvas(height)
	w, h := appendNumber(nil, float64(width)), appendNumber(nil, float64(height))
	c.out = fmt.Appendf(c.out, `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="%spt" height="%spt" viewBox="0 0 %s %s">`+"\n", w, h, w, h)
	if title != "" {
		c.out = append(c.out, "<title>"+html.EscapeString(title)+"</title>\n"...)
	}
	if description != "" {
		c.out = append(c.out, "<desc>"+html.EscapeString(description)+"</desc>\n"...)
	}
	d.Draw(draw.NewCanvas(c, width, height))
	return string(append(c.out, "</svg>\n"...)), nil
}
