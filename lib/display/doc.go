// Package display shows rich output: pictures, tables, HTML, Markdown.
//
// In a notebook the output appears below the cell. In an ordinary program or test, its text
// form goes to standard output, so the same code works with and without a notebook.
// [WriteFiles] makes a program also write pictures and pages to files.
//
//	display.HTML("<b>done</b>")
//	display.Markdown("It took **3** rounds.")
//	display.Plot(p)      // a *plot.Plot of gonum.org/v1/plot; see package plotstyle
//	display.Show(img)    // any value, an image.Image for example
//
// The value of a cell's last expression is shown as by [Show]. A type defines the forms of
// its values with one or several of these methods:
//
//	MIMEBundle() map[string]any  // every form at once, keyed by MIME type
//	HTML() string
//	Markdown() string
//	SVG() string                 // a complete document with its xmlns attribute
//	PNG() []byte
//	JPEG() []byte
//	Latex() string               // with its delimiters: $ $ or \[ \]
//
// The text form comes from the method Error, String, Format or MarshalText if there
// is one, otherwise from the value's fields. The following values need none of these
// methods to be shown as pictures, tables or trees: image.Image, *plot.Plot, matrices
// of gonum, slices of structs, maps, and values that do not fit on one line.
//
// A [Handle] is an output that changes in place. A [Bar] is such an output that
// shows the progress of some work, and [Track] adds a bar to a loop:
//
//	for line := range display.Track(slices.Values(lines), len(lines)) {
//		parse(line)
//	}
package display
