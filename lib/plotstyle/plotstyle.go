package plotstyle

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/perijove/perijove/lib/display/plotsvg"
)

// A Plot draws a plot of gonum in the style of this package. A notebook shows it as a
// picture. A Plot can be drawn and saved like a *plot.Plot. Its methods do not change
// gonum's plot. They draw the present state of that plot, with everything that was added
// to it after [New].
//
// The style replaces the fonts and colors of the title, axes and legend, the
// background, and the ticks of gonum's own tickers (DefaultTicks, LogTicks). Other
// tickers stay. A Plot draws a grid, so gonum's plot needs none.
type Plot struct {
	Width, Height vg.Length // size in a notebook; [New] sets 5.25 by 3.5 inches, which is 504 by 336 pixels
	Caption       []Note    // paragraphs below the picture

	of     []*plot.Plot // from top to bottom
	shares []float64    // of the height, one for each plot
}

// A Note is a paragraph of text. A nil Color means [Quiet].
type Note struct {
	Text  string
	Color color.Color
}

// New returns p in the style of this package.
func New(p *plot.Plot) *Plot { return Stack([]float64{1}, p) }

// Stack returns a picture of several plots, one below the other, with aligned left and
// right edges of their data. shares has the relative height of each plot. The picture has
// the title and the legend of the first plot, and the horizontal axis and its label of the
// last plot, so all plots must have the same horizontal range.
func Stack(shares []float64, plots ...*plot.Plot) *Plot {
	return &Plot{Width: 5.25 * vg.Inch, Height: 3.5 * vg.Inch, of: plots, shares: shares}
}

func (s *Plot) first() *plot.Plot { return s.of[0] }
func (s *Plot) last() *plot.Plot  { return s.of[len(s.of)-1] }

// String describes the plot in words.
func (s *Plot) String() string {
	parts := []string{"Plot"}
	add := func(name, text string) {
		if text != "" {
			parts = append(parts, name+strings.Join(strings.Fields(text), " "))
		}
	}
	add("", s.first().Title.Text)
	add("horizontal: ", s.last().X.Label.Text)
	for _, p := range s.of {
		add("vertical: ", p.Y.Label.Text)
	}
	return strings.Join(parts, "; ")
}

// SVG returns the plot as an SVG document of its Width and Height.
func (s *Plot) SVG() string { return SVG(s, s.Width, s.Height, s.first().Title.Text, s.String()) }

// WriterTo returns the plot in a format of gonum, like the method of *plot.Plot. Width
// and height are in points.
func (s *Plot) WriterTo(width, height vg.Length, format string) (io.WriterTo, error) {
	return WriterTo(s, width, height, format, s.first().Title.Text, s.String())
}

// Save writes the plot to a file. The extension of its name sets the format.
func (s *Plot) Save(width, height vg.Length, file string) error {
	w, err := s.WriterTo(width, height, strings.TrimPrefix(strings.ToLower(filepath.Ext(file)), "."))
	if err != nil {
		return fmt.Errorf("cannot save the plot as %s: %w", file, err)
	}
	var data bytes.Buffer
	if _, err := w.WriteTo(&data); err != nil {
		return fmt.Errorf("cannot draw the plot for %s: %w", file, err)
	}
	return os.WriteFile(file, data.Bytes(), 0o666)
}

// HeightFor returns the height of a picture of width s.Width in which the plots and their
// axes together have the height panels. The rest of the height is for the title, the legend
// and the caption.
func (s *Plot) HeightFor(panels vg.Length) vg.Length {
	height := vg.Length(4000)
	for range 2 { // the size of title, legend and caption depends on the height
		l := layout{plot: s, scale: 1, size: vg.Point{X: s.Width, Y: height}}
		m := l.margin()
		page := draw.Canvas{Canvas: discard{}, Rectangle: vg.Rectangle{Max: l.size}}
		_, body, _ := l.divide(draw.Crop(page, m, -m, m, -m))
		height += panels - body.Size().Y
	}
	return height
}

// A Drawer draws itself to a canvas.
type Drawer interface{ Draw(draw.Canvas) }

// WriterTo returns a drawing in a format of gonum: svg, png, pdf … Only SVG uses title
// and description.
func WriterTo(d Drawer, width, height vg.Length, format, title, description string) (io.WriterTo, error) {
	if format == "svg" {
		svg, err := plotsvg.Encode(d, width, height, title, description)
		return strings.NewReader(svg), err
	}
	c, err := draw.NewFormattedCanvas(width, height, format)
	if err != nil {
		return nil, err
	}
	d.Draw(draw.New(c))
	return c, nil
}

// SVG returns a drawing as an SVG document. Title and description are for screen
// readers. The result is empty if the size is not positive.
func SVG(d Drawer, width, height vg.Length, title, description string) string {
	svg, err := plotsvg.Encode(d, width, height, title, description)
	if err != nil {
		return ""
	}
	return svg
}

// Sizes of text, in points. Small pictures have smaller text. A telephone, 390 pixels
// wide, shows a picture of the usual size at three quarters of its size.
const (
	titleSize   = 13
	labelSize   = 10.5
	tickSize    = 10
	legendSize  = 10.5
	captionSize = 10
)

// Draw draws the plot to any canvas of gonum. It panics, as gonum does, if an
// axis with a plot.LogScale has values that are not positive.
func (s *Plot) Draw(c draw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Path())
	size := c.Size()
	scale := min(max(float64(min(size.X/300, size.Y/200)), 0.5), 1)
	l := layout{plot: s, scale: scale, size: size}
	m := l.margin()
	l.draw(draw.Crop(c, m, -m, m, -m))
}
