"""Ground floor: what every room needs. It knows no customer."""
