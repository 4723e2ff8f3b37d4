package displayhost

import "sync/atomic"

// A Rasterizer draws v as a PNG picture of width by height points, with two
// pixels for each of the page's, of which 96 are an inch. The result is nil if it
// cannot draw values of this type.
type Rasterizer func(v any, width, height float64) ([]byte, error)

// rasterizer is process-wide, as sink is.
var rasterizer atomic.Pointer[Rasterizer]

// SetRasterizer makes package display add the pictures of f to drawings; nil
// removes it. f must allow concurrent calls.
func SetRasterizer(f Rasterizer) {
	if f == nil {
		rasterizer.Store(nil)
		return
	}
	rasterizer.Store(&f)
}

// Rasterize calls the host's rasterizer. Without one the result is nil.
func Rasterize(v any, width, height float64) ([]byte, error) {
	if f := rasterizer.Load(); f != nil {
		return (*f)(v, width, height)
	}
	return nil, nil
}
