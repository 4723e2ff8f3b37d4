package plotstyle

import (
	"image/color"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Text returns a sans-serif text style. size is in points.
func Text(size float64, c color.Color) text.Style {
	return text.Style{
		Color: c, Handler: plot.DefaultTextHandler,
		Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)},
	}
}

// Bold returns the style of [Text] in bold.
func Bold(size float64, c color.Color) text.Style {
	s := Text(size, c)
	s.Font.Weight = xfont.WeightBold
	return s
}

// restyle gives s the font, size and color of this package and keeps its
// alignment and rotation.
func restyle(s text.Style, size float64, c color.Color) text.Style {
	t := Text(size, c)
	s.Font, s.Color, s.Handler = t.Font, t.Color, t.Handler
	return s
}

// Wrap breaks a text into lines that are not wider than width. It also breaks words
// that are wider, and keeps the line breaks of s.
func Wrap(style text.Style, s string, width vg.Length) []string {
	var lines []string
	for paragraph := range strings.Lines(s) {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			if longer := strings.TrimSpace(line + " " + word); style.Width(longer) <= width {
				line = longer
				continue
			}
			if line != "" {
				lines = append(lines, line)
			}
			for style.Width(word) > width {
				part := prefix(style, word, width)
				lines = append(lines, part)
				word = word[len(part):]
			}
			line = word
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// prefix returns the longest prefix of s that is not wider than width, but at least
// one character.
func prefix(style text.Style, s string, width vg.Length) string {
	end := 0
	for i, r := range s {
		next := i + len(string(r))
		if end > 0 && style.Width(s[:next]) > width {
			break
		}
		end = next
	}
	return s[:end]
}

// shorten returns s, or its beginning and an ellipsis if it is wider than width.
func shorten(style text.Style, s string, width vg.Length) string {
	if style.Width(s) <= width {
		return s
	}
	return strings.TrimSpace(prefix(style, s, width-style.Width("…"))) + "…"
}

// lineHeight returns the distance between two lines of text.
func lineHeight(style text.Style) vg.Length { return style.Font.Size * 1.3 }

// clampLines returns at most n lines. If it drops lines, the last one ends with an
// ellipsis.
func clampLines(style text.Style, lines []string, n int, width vg.Length) []string {
	if len(lines) <= n {
		return lines
	}
	if n <= 0 {
		return nil
	}
	lines = append([]string(nil), lines[:n]...)
	lines[n-1] = shorten(style, lines[n-1]+" …", width)
	return lines
}

// drawTop writes lines below the upper edge of c and returns the rest of c.
func drawTop(c draw.Canvas, style text.Style, lines []string) draw.Canvas {
	for _, line := range lines {
		c.Max.Y -= lineHeight(style)
		c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y + style.Font.Size*0.3}, line)
	}
	return c
}
