// Package typetext writes types as source text for other units and as text for
// users (typetext.go), and as fingerprints, which are equal if code
// compiled for one type works on the other (fingerprint.go).
package typetext
