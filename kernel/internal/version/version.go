// Package version holds the one version string of Perijove.
package version

// Version is the release this source belongs to, as semantic versioning has it.
const Version = "0.1.0"
