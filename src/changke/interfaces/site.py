"""The WSGI application as granian's workers load it: one that ends when the process that started it is gone."""

from changke.interfaces.lifeline import follow_parent
from changke.wsgi import application as application

follow_parent()
