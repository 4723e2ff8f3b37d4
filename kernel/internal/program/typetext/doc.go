// Package typetext writes types as source text that other units can contain
// (typetext.go), as text for users, and as fingerprints that tell whether code
// compiled for one type works on another (fingerprint.go).
package typetext
