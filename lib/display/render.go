package display

import (
	"encoding/base64"
	"fmt"
	"image"
	"reflect"
	"strings"

	"github.com/perijove/perijove/lib/display/displayhost"
	"github.com/perijove/perijove/lib/display/values"
)

// Render returns the message that shows a value as the last expression of a cell.
//
// The message always has a text/plain form: the value's own text if the value is an
// error, Stringer, Formatter or TextMarshaler, the Go literal of a string, and otherwise
// its fields and elements, at most a screen; see [values.Text]. Render adds the
// forms for which the type has a method (see the package comment) and pictures of
// images and plots. Matrices of gonum, slices of structs, maps, and values that do
// not fit on one line get an HTML form: a table, or a tree whose nodes open and
// close. The text form names each method that has panicked. If the value has the method
// DisplayID() string, the output can be replaced later with [Update].
func Render(v any) displayhost.Message {
	if m, ok := v.(displayhost.Message); ok {
		return m
	}
	r := renderer{data: Bundle{}, metadata: map[string]any{}}
	if x, ok := v.(vector); ok {
		v, r.vectorOnly = x.v, true
	}
	r.render(v)
	id := ""
	if x, ok := v.(interface{ DisplayID() string }); ok && !isNil(v) {
		r.guard("DisplayID", func() { id = x.DisplayID() })
	}
	if _, ok := r.data["text/plain"]; !ok {
		r.data["text/plain"] = r.values.Text(v)
	}
	if len(r.problems) > 0 {
		text, _ := r.data["text/plain"].(string)
		r.data["text/plain"] = text + "\n" + strings.Join(r.problems, "\n")
	}
	m := displayhost.Message{Kind: displayhost.KindShow, Data: r.data, ID: id}
	if len(r.metadata) > 0 {
		m.Metadata = r.metadata
	}
	return m
}

type renderer struct {
	values   values.Rendering
	data     Bundle
	metadata map[string]any
	problems []string

	svgSize    string // the size of an SVG form, as standaloneSVG describes it
	vectorOnly bool   // see Vector
}

// HasForm reports whether [Render] shows a value in a form that its type defines, or as a
// picture or a matrix, and not only by its fields and elements. It calls the methods of
// the type that return such forms, but no method that returns the text of the value.
func HasForm(v any) bool {
	r := renderer{data: Bundle{}, metadata: map[string]any{}}
	r.forms(v)
	return len(r.data) > 0
}

func (r *renderer) render(v any) {
	r.forms(v)
	if len(r.data) == 0 && !isNil(v) {
		if form, ok := r.values.HTML(v); ok {
			r.data["text/html"] = form
		}
	}
}

// forms adds the forms that the type defines, and those of pictures and matrices.
func (r *renderer) forms(v any) {
	if isNil(v) {
		return
	}
	if b, ok := v.(interface{ MIMEBundle() map[string]any }); ok {
		r.guard("MIMEBundle", func() {
			for mime, form := range b.MIMEBundle() {
				r.data[mime] = form
			}
		})
	}
	r.textForms(v)
	r.pictureForms(v)
	r.guard("Draw", func() { r.rasterized(v) })
	if len(r.data) == 0 {
		r.guard("drawing", func() { r.drawing(v) })
	}
	if m, ok := matrixOf(v); ok && len(r.data) == 0 {
		r.guard("At", func() { r.matrix(m) })
	}
}

// textForms adds the forms that are text: those of the methods HTML, Markdown, Latex
// and SVG, and values of html/template.HTML.
func (r *renderer) textForms(v any) {
	if x, ok := v.(interface{ HTML() string }); ok {
		r.guard("HTML", func() { r.data["text/html"] = x.HTML() })
	} else if t := reflect.TypeOf(v); t.Kind() == reflect.String && t.PkgPath() == "html/template" && t.Name() == "HTML" {
		r.data["text/html"] = reflect.ValueOf(v).String()
	}
	if x, ok := v.(interface{ Markdown() string }); ok {
		r.guard("Markdown", func() { r.data["text/markdown"] = x.Markdown() })
	}
	if x, ok := v.(interface{ Latex() string }); ok {
		r.guard("Latex", func() { r.data["text/latex"] = x.Latex() })
	}
	if x, ok := v.(interface{ SVG() string }); ok {
		r.guard("SVG", func() { r.svg(x.SVG()) })
	}
}

func (r *renderer) pictureForms(v any) {
	if x, ok := v.(interface{ PNG() []byte }); ok {
		r.guard("PNG", func() { r.data["image/png"] = base64.StdEncoding.EncodeToString(x.PNG()) })
	}
	if x, ok := v.(interface{ JPEG() []byte }); ok {
		r.guard("JPEG", func() { r.data["image/jpeg"] = base64.StdEncoding.EncodeToString(x.JPEG()) })
	}
	img, ok := v.(image.Image)
	if !ok || r.data["image/png"] != nil {
		return
	}
	r.guard("encoding", func() {
		data, err := encodePNG(img)
		if err != nil {
			r.problems = append(r.problems, err.Error())
			return
		}
		size := img.Bounds().Size()
		b, meta := pictureBundle("image/png", data, size.X, size.Y)
		b["text/plain"] = fmt.Sprintf("[%T, %d × %d pixels]", v, size.X, size.Y)
		for mime, form := range b {
			r.data[mime] = form
		}
		r.metadata = meta
	})
}

// drawing adds the forms of v if it is a Drawing[L].
func (r *renderer) drawing(v any) {
	d, ok := drawingOf(v, usualWidth, usualHeight)
	if !ok {
		return
	}
	b, metadata, err := d.bundle(r.vectorOnly)
	if err != nil {
		r.problems = append(r.problems, strings.TrimPrefix(err.Error(), "display: "))
		return
	}
	b["text/plain"] = fmt.Sprintf("[%T, %gpt × %gpt]", v, d.width, d.height)
	r.data, r.metadata = b, metadata
}

// rasterized adds a PNG picture to a value that has an SVG form with a size. The
// host's rasterizer draws it, or the value's own method if it is also a Drawing.
func (r *renderer) rasterized(v any) {
	width, height, ok := points(r.svgSize)
	if !ok || r.vectorOnly || r.data["image/png"] != nil {
		return
	}
	picture, err := displayhost.Rasterize(v, width, height)
	if d, ok := drawingOf(v, width, height); ok && picture == nil && err == nil {
		picture = d.png()
	}
	if err == nil && picture != nil {
		r.metadata = addPicture(r.data, picture, width, height)
	}
}

func (r *renderer) svg(s string) {
	svg, size, err := standaloneSVG(s)
	if err != nil {
		r.problems = append(r.problems, err.Error())
		return
	}
	r.data["image/svg+xml"], r.svgSize = svg, size
}

// guard calls f, which calls the named method, and adds a panic to the problems.
func (r *renderer) guard(method string, f func()) {
	defer func() {
		if p := recover(); p != nil {
			r.problems = append(r.problems, fmt.Sprintf("[%s panicked: %v]", method, p))
		}
	}()
	f()
}

func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return rv.IsNil()
	}
	return false
}
