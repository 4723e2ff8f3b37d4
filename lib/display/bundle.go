package display

// A Bundle holds several forms of one output, keyed by MIME type. A form is a
// string: text, or base64 for binary types. For JSON types a form is any value that
// encoding/json can encode. [Show] shows a Bundle.
type Bundle map[string]any

// MIMEBundle returns b.
func (b Bundle) MIMEBundle() map[string]any { return b }
