package display

// A Bundle is one thing in several forms, keyed by MIME type. A value is a
// string: text, or base64 for binary types. For JSON types it is anything that
// encoding/json can encode. A Bundle can be passed to [Show].
type Bundle map[string]any

// MIMEBundle returns b.
func (b Bundle) MIMEBundle() map[string]any { return b }
