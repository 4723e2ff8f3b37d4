// Package conformance runs the Go project's own test programs as notebook
// cells, and loads cells by the thousand; it has tests alone. README.md says
// how to run more than the sample.
package conformance
