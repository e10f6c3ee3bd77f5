"""The site: ``build`` makes it, ``gallery`` writes the page of all demos, ``slides`` puts figures on slides."""
