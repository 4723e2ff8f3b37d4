package displayhost

import "sync/atomic"

// A Rasterizer draws v as a PNG picture of width by height points, with 192 pixels
// per inch: two for each CSS pixel. It returns nil if it cannot draw values of the
// type of v.
type Rasterizer func(v any, width, height float64) ([]byte, error)

// rasterizer is process-wide, like sink.
var rasterizer atomic.Pointer[Rasterizer]

// SetRasterizer makes package display draw the PNG form of drawings with f; nil
// removes the rasterizer. f must allow concurrent calls.
func SetRasterizer(f Rasterizer) {
	if f == nil {
		rasterizer.Store(nil)
		return
	}
	rasterizer.Store(&f)
}

// Rasterize calls the function of SetRasterizer. Without one the result is nil.
func Rasterize(v any, width, height float64) ([]byte, error) {
	if f := rasterizer.Load(); f != nil {
		return (*f)(v, width, height)
	}
	return nil, nil
}

// A Vectorizer draws v as an SVG document of width by height points. It returns ""
// if it cannot draw values of the type of v.
type Vectorizer func(v any, width, height float64) (string, error)

var vectorizer atomic.Pointer[Vectorizer]

// SetVectorizer makes package display draw the SVG form of drawings with f instead of
// the drawing's method; nil removes the vectorizer. f must allow concurrent calls.
func SetVectorizer(f Vectorizer) {
	if f == nil {
		vectorizer.Store(nil)
		return
	}
	vectorizer.Store(&f)
}

// Vectorize calls the function of SetVectorizer. Without one the result is empty.
func Vectorize(v any, width, height float64) (string, error) {
	if f := vectorizer.Load(); f != nil {
		return (*f)(v, width, height)
	}
	return "", nil
}
