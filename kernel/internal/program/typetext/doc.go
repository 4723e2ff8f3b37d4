// Package typetext writes types as source text for other units, as text for users (typetext.go), and as fingerprints
// (fingerprint.go). The fingerprints of two types are equal if code that was compiled for one type works on the
// other.
package typetext
