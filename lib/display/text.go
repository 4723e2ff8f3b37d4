package display

import "github.com/perijove/perijove/lib/display/values"

// Text returns the text form of a value, as described at [Render].
func Text(v any) string { return values.Text(v) }
