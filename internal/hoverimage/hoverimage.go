// Package hoverimage writes a picture as part of an HTML page, with texts that appear under the pointer.
//
// The picture is a PNG image, since front ends remove SVG from the HTML of a notebook that they do not trust. They then
// remove the places of the texts too, and the picture stays.
package hoverimage

import (
	"encoding/base64"
	"fmt"
	"html"
)

// An Area is a rectangle of a picture, in CSS pixels from its upper left corner, and the text for it.
type Area struct {
	X, Y, W, H float64
	Text       string
}

// smallest is the least width of a large image, in CSS pixels.
const smallest = 560

// HTML returns a PNG image that is width × height CSS pixels large as part of a page. alt describes the image. Later areas
// lie above earlier ones. The image shrinks with the page down to four fifths of its width, or 560 pixels: then it fits on a
// printed page, and a narrower page scrolls. It is light, also on a dark page.
func HTML(png []byte, width, height float64, alt string, areas []Area) string {
	b := fmt.Appendf(nil, `<div style="overflow-x:auto"><div style="position:relative;max-width:%.0fpx;min-width:%.0fpx;background:#fff;border-radius:4px">`, width, min(0.8*width, smallest))
	b = fmt.Appendf(b, `<img alt="%s" width="%.0f" style="display:block;width:100%%;height:auto" src="data:image/png;base64,`, html.EscapeString(alt), width)
	b = base64.StdEncoding.AppendEncode(b, png)
	b = append(b, "\">\n"...)
	for _, a := range areas {
		b = fmt.Appendf(b, `<i title="%s" style="position:absolute;left:%.2f%%;top:%.2f%%;width:%.2f%%;height:%.2f%%"></i>`+"\n",
			html.EscapeString(a.Text), 100*a.X/width, 100*a.Y/height, 100*a.W/width, 100*a.H/height)
	}
	return string(append(b, "</div></div>"...))
}
