// Package docs holds the pages for users, and the tests that run their examples.
package docs
