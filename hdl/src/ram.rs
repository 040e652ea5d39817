//! Memories that synthesis tools map to block RAM.
