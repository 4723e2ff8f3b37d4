package main

import (
	"image"
	"image/color"
	"testing"
)

func TestAnimateEncodesWhatChanges(t *testing.T) {
	white, red := color.RGBA{255, 255, 255, 255}, color.RGBA{255, 0, 0, 255}
	frame := func(dots ...image.Point) *image.RGBA {
		img := image.NewRGBA(image.Rect(0, 0, 20, 10))
		for i := range img.Pix {
			img.Pix[i] = 255
		}
		for _, p := range dots {
			img.SetRGBA(p.X, p.Y, red)
		}
		return img
	}
	frames := []*image.RGBA{frame(), frame(image.Pt(3, 4), image.Pt(6, 5)), frame(image.Pt(3, 4), image.Pt(6, 5))}
	g := animate([]shot{{"a", 100}, {"b", 250}, {"c", 40}}, frames)
	if got, want := g.Image[1].Bounds(), image.Rect(3, 4, 7, 6); got != want {
		t.Errorf("the second picture has the bounds %v, want %v", got, want)
	}
	if got := g.Image[1].At(3, 4); got != red {
		t.Errorf("the dot is %v", got)
	}
	if _, _, _, alpha := g.Image[1].At(4, 4).RGBA(); alpha != 0 {
		t.Error("an unchanged pixel is not transparent")
	}
	if got := g.Image[0].At(0, 0); got != white {
		t.Errorf("the background is %v", got)
	}
	if got := g.Image[2].Bounds(); got.Dx() != 1 || got.Dy() != 1 {
		t.Errorf("a frame without a change has the bounds %v", got)
	}
	if g.Delay[0] != 10 || g.Delay[1] != 25 {
		t.Errorf("the delays are %v", g.Delay)
	}
}
