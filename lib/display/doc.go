// Package display shows rich things: pictures, tables, HTML, Markdown.
//
// In a notebook they appear in the output of the cell that calls. In an
// ordinary program, and in its tests, the text form of each goes to standard
// output, so the same code runs in both.
//
//	display.HTML("<b>done</b>")
//	display.Markdown("It took **3** rounds.")
//	display.Plot(p)      // a *plot.Plot of gonum.org/v1/plot; see package plotstyle
//	display.Show(img)    // any value, an image.Image for example
//
// The value of a cell's last expression is shown as [Show] would. A type
// decides how its values look by having one or several of these methods:
//
//	MIMEBundle() map[string]any  // every form at once, keyed by MIME type
//	HTML() string
//	Markdown() string
//	SVG() string                 // a complete document, xmlns included
//	PNG() []byte
//	JPEG() []byte
//	Latex() string               // with its $ or \[ \] around it
//
// The text form comes from Error, String or Format if there is one, else from the
// value's fields. Besides, these are shown as pictures, tables or trees without
// any such method: image.Image, *plot.Plot, matrices of gonum, slices of structs,
// maps, and values that one line does not show.
//
// An output that changes in place is a [Handle]; a [Bar] is one that shows how far
// some work is, and [Track] gives a loop a bar:
//
//	for line := range display.Track(slices.Values(lines), len(lines)) {
//		parse(line)
//	}
package display
