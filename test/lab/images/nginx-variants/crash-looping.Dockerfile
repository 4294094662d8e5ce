# Serves for a second, then dies as from a crash: a first look may find it running.
ARG BASE
FROM ${BASE}
RUN echo 'crash-looping' > /usr/share/nginx/html/index.html
COPY crash.sh /crash.sh
RUN chmod 755 /crash.sh
ENTRYPOINT ["/crash.sh"]
CMD ["nginx", "-g", "daemon off;"]
