// Gif writes screenshots as an animated GIF. Its argument is a JSON file that lists
// them: objects with the name of a PNG file and the time for which it is shown.
//
//	go run ./docs/gif out/tour.json docs/tour.gif
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// A shot is one screenshot, named relative to the list.
type shot struct {
	File         string
	Milliseconds int
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gif:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("the program takes 2 arguments, not %d: write gif LIST.json PICTURE.gif", len(args))
	}
	list, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var shots []shot
	if err := json.Unmarshal(list, &shots); err != nil {
		return fmt.Errorf("cannot read the list of pictures in %s: %w", args[0], err)
	}
	frames, err := readFrames(filepath.Dir(args[0]), shots)
	if err != nil {
		return err
	}
	out, err := os.Create(args[1])
	if err != nil {
		return err
	}
	return errors.Join(gif.EncodeAll(out, animate(shots, frames)), out.Close())
}

func readFrames(dir string, shots []shot) ([]*image.RGBA, error) {
	var frames []*image.RGBA
	for _, s := range shots {
		f, err := os.Open(filepath.Join(dir, s.File))
		if err != nil {
			return nil, err
		}
		img, err := png.Decode(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("cannot read the picture %s: %w", s.File, err)
		}
		frame := image.NewRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
		draw.Draw(frame, frame.Bounds(), img, img.Bounds().Min, draw.Src)
		if len(frames) > 0 && frame.Bounds() != frames[0].Bounds() {
			return nil, fmt.Errorf("the picture %s differs in size from the first picture of the list", s.File)
		}
		frames = append(frames, frame)
	}
	if len(frames) == 0 {
		return nil, errors.New("the list of pictures is empty")
	}
	return frames, nil
}

// animate encodes each frame as the rectangle that differs from the frame before it.
func animate(shots []shot, frames []*image.RGBA) *gif.GIF {
	q := newQuantizer(frames)
	g := &gif.GIF{}
	var before *image.RGBA
	for i, frame := range frames {
		area := changed(before, frame)
		if area.Empty() {
			area = image.Rect(0, 0, 1, 1)
		}
		img := image.NewPaletted(area, q.palette)
		for y := area.Min.Y; y < area.Max.Y; y++ {
			for x := area.Min.X; x < area.Max.X; x++ {
				if c := frame.RGBAAt(x, y); before == nil || c != before.RGBAAt(x, y) {
					img.SetColorIndex(x, y, q.index(c))
				}
			}
		}
		g.Image = append(g.Image, img)
		g.Delay = append(g.Delay, shots[i].Milliseconds/10)
		g.Disposal = append(g.Disposal, gif.DisposalNone)
		before = frame
	}
	return g
}

// changed returns the smallest rectangle outside of which two frames are equal.
func changed(before, frame *image.RGBA) image.Rectangle {
	if before == nil {
		return frame.Bounds()
	}
	var area image.Rectangle
	for y := range frame.Bounds().Dy() {
		for x := range frame.Bounds().Dx() {
			if frame.RGBAAt(x, y) != before.RGBAAt(x, y) {
				area = area.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return area
}

// A quantizer maps colours to a palette of the most frequent ones. Index 0 is transparent.
type quantizer struct {
	palette color.Palette
	known   map[color.RGBA]uint8
}

func newQuantizer(frames []*image.RGBA) *quantizer {
	count := map[color.RGBA]int{}
	for _, frame := range frames {
		for y := range frame.Bounds().Dy() {
			for x := range frame.Bounds().Dx() {
				count[frame.RGBAAt(x, y)]++
			}
		}
	}
	byCount := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(count[b]-count[a], cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	q := &quantizer{palette: color.Palette{color.RGBA{}}, known: map[color.RGBA]uint8{}}
	for _, c := range byCount {
		if len(q.palette) == 256 {
			break
		}
		if q.isNew(c) {
			q.palette = append(q.palette, c)
		}
	}
	return q
}

// isNew reports whether c differs visibly from all colours of the palette.
func (q *quantizer) isNew(c color.RGBA) bool {
	const visible = 8
	for _, p := range q.palette[1:] {
		if p := p.(color.RGBA); abs(p.R, c.R)+abs(p.G, c.G)+abs(p.B, c.B) < visible {
			return false
		}
	}
	return true
}

func abs(a, b uint8) int { return int(max(a, b) - min(a, b)) }

// index returns the place in the palette of the colour nearest to c.
func (q *quantizer) index(c color.RGBA) uint8 {
	if i, ok := q.known[c]; ok {
		return i
	}
	i := uint8(1 + q.palette[1:].Index(c))
	q.known[c] = i
	return i
}
